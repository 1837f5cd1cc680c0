// What people of an operator or a provider read about their registration at a neighbour. Advice comes from the server in
// English.
export const registration: Record<string, string> = {
  'Everything holds.': 'Alles hält.',
  'Going there step by step …': 'Es geht Schritt für Schritt hin …',
  Leave: 'Verlassen',
  'Leave {name}?': '{name} verlassen?',
  Leaving: 'Verlassen',
  'Look at the registration': 'Zur Registrierung',
  More: 'Mehr',
  'New token': 'Neues Token',
  'Not registered': 'Nicht registriert',
  'Nothing goes through it until an administrator registers.': 'Nichts geht durch ihn, bis jemand aus der Verwaltung registriert.',
  'Nothing was done yet.': 'Noch wurde nichts getan.',
  'Register anew': 'Neu registrieren',
  'Register anew at {name}': 'Neu registrieren bei {name}',
  'Register now': 'Jetzt registrieren',
  Registered: 'Registriert',
  Registration: 'Registrierung',
  Renewal: 'Erneuerung',
  'Renew now': 'Jetzt erneuern',
  'Both sides forget each other’s tokens, and no message goes through {name} any more. To come back you need a new token A.':
    'Beide Seiten vergessen die Tokens der anderen, und keine Nachricht geht mehr durch {name}. Für die Rückkehr brauchen Sie ein neues Token A.',
  'The neighbour does not speak OCPI. How it is reached stands in the configuration of this house.':
    'Der Nachbar spricht kein OCPI. Wie er erreicht wird, steht in der Konfiguration dieses Hauses.',
  'The people of {party} give you the address of their versions and a token A, which is good once. Both sides then exchange tokens of their own.':
    'Von {party} bekommen Sie die Adresse der Versionen und ein Token A, das einmal gilt. Danach tauschen beide Seiten eigene Tokens aus.',
  'The tokens could not be renewed; those of before are still used.': 'Die Tokens konnten nicht erneuert werden; die bisherigen gelten weiter.',
  'Their authority (PEM), if we do not trust it yet': 'Deren Zertifizierungsstelle (PEM), falls wir ihr noch nicht vertrauen',
  'Their versions address': 'Deren Versions-Adresse',
  'There is nothing to register here.': 'Hier gibt es nichts zu registrieren.',
  'They are in our own network: addresses need not be public': 'Sie sind in unserem eigenen Netz: Adressen müssen nicht öffentlich sein',
  'Token A': 'Token A',
  Tokens: 'Tokens',
  Token: 'Token',
  Versions: 'Versionen',
  'Versions address': 'Versions-Adresse',
  'What was done': 'Was getan wurde',
  Withdrawal: 'Abmeldung',
  'from the configuration; a renewal exchanges them': 'aus der Konfiguration; eine Erneuerung tauscht sie aus',
  'renewed by hand': 'werden von Hand erneuert',
  'renewed by themselves on {at}': 'erneuern sich von selbst am {at}',
  'this house, by itself': 'dieses Haus, von selbst',
  'Ask them for a new token A.': 'Bitten Sie um ein neues Token A.',
  'Ask them to look at the details of that version.': 'Bitten Sie darum, die Angaben zu dieser Version anzusehen.',
  'Ask them to mend that field; then do it again.': 'Bitten Sie darum, dieses Feld zu berichtigen; dann noch einmal.',
  'Ask them to put the address of their list of versions into their credentials.':
    'Bitten Sie darum, die Adresse der Versionsliste in die Zugangsdaten zu schreiben.',
  'Ask what their log says about our request, then try again.': 'Fragen Sie, was deren Protokoll zu unserer Anfrage sagt; dann noch einmal.',
  'Ask whether they still hold us for registered. If not, ask for a token A and register again.':
    'Fragen Sie, ob wir dort noch als registriert gelten. Wenn nicht, bitten Sie um ein Token A und registrieren Sie neu.',
  'Ask which field, and what their log says.': 'Fragen Sie, welches Feld gemeint ist und was deren Protokoll sagt.',
  'Ask which modules they need.': 'Fragen Sie, welche Module gebraucht werden.',
  'Ask which party this platform is; the one that was meant is not among these.':
    'Fragen Sie, welche Partei diese Plattform ist; die gemeinte ist nicht darunter.',
  'Ask which version they want.': 'Fragen Sie, welche Version gewünscht ist.',
  'The one before is still welcome, and stays. Ask them to look at their renewal.':
    'Das bisherige ist noch willkommen und bleibt. Bitten Sie darum, die Erneuerung dort anzusehen.',
  'Their people can see whether they hold us for registered. Either token is good here until they use one; do it again.':
    'Dort lässt sich sehen, ob wir als registriert gelten. Beide Tokens gelten hier, bis eines benutzt wird; noch einmal versuchen.',
  'They hold us for registered where we begin, or for strangers where we renew. Ask them to forget us and to give a token A.':
    'Wir gelten dort als registriert, wo wir beginnen, oder als fremd, wo wir erneuern. Bitten Sie darum, uns zu vergessen und ein Token A zu geben.',
  'Try again when they can be reached.': 'Noch einmal versuchen, wenn die Gegenseite zu erreichen ist.',
};
