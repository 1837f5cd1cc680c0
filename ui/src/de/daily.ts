// The operator's daily work: alarms, places, meters, refusals, tariffs tried out; and the driver's own keys.
export const daily: Record<string, string> = {
  // alarms
  'Alarms': 'Meldungen', 'Alarms that nobody has seen': 'Ungesehene Meldungen', 'All is well.': 'Alles in Ordnung.',
  'What a person should look at. An alarm goes by itself when its reason is gone.':
    'Was ein Mensch ansehen sollte. Eine Meldung verschwindet von selbst, wenn ihr Grund weg ist.',
  'Show what was seen too ({n})': 'Auch Gesehenes zeigen ({n})', 'Everything that stands was seen by somebody.': 'Alles, was ansteht, hat jemand gesehen.',
  'No station, session or record needs you.': 'Keine Station, kein Ladevorgang und kein Datensatz braucht dich.',
  'on': 'am', 'since': 'seit', 'Seen': 'Gesehen', 'Seen by {name}': 'Gesehen von {name}', 'Not seen after all': 'Doch nicht gesehen',
  'Marked as seen.': 'Als gesehen vermerkt.',
  'A charging point reports a fault': 'Ein Ladepunkt meldet eine Störung', 'A station reports a fault': 'Eine Station meldet eine Störung',
  'Look at its messages; a reset often helps, otherwise somebody must go there.':
    'Sieh dir ihre Nachrichten an; oft hilft ein Neustart, sonst muss jemand hin.',
  'A station is gone': 'Eine Station ist weg',
  'Its power or its network is down, or it is refused at the door: see its page.':
    'Strom oder Netz sind ausgefallen, oder sie wird an der Tür abgewiesen: siehe ihre Seite.',
  'A certificate ends': 'Ein Zertifikat läuft ab',
  'Enrol the station anew before that day, or it cannot connect any more.': 'Nimm die Station vorher neu auf, sonst kann sie sich nicht mehr verbinden.',
  'Energy that nobody pays for': 'Energie, die niemand bezahlt',
  'The station charged without a permitted card: check its authorisation settings.':
    'Die Station lud ohne erlaubte Karte: prüfe ihre Einstellungen zur Freigabe.',
  'Something about a session does not fit': 'An einem Ladevorgang passt etwas nicht',
  'The session’s page says which readings count and which do not.': 'Die Seite des Ladevorgangs sagt, welche Messwerte zählen und welche nicht.',
  'A provider does not take a record': 'Ein Anbieter nimmt einen Datensatz nicht an',
  'Its answer says why; ask the provider if that does not help.': 'Die Antwort sagt, warum; frage den Anbieter, wenn das nicht hilft.',
  'A message of an unknown session': 'Eine Nachricht zu einem unbekannten Ladevorgang',
  'The station lost count, often after a restart: compare its messages of that time.':
    'Die Station hat sich verzählt, oft nach einem Neustart: vergleiche ihre Nachrichten von damals.',
  // the door
  'Refused at the door': 'An der Tür abgewiesen', 'Why is it not connected?': 'Warum ist sie nicht verbunden?', 'All refusals': 'Alle Abweisungen',
  'It was not refused: it did not knock. Look at its power, its network, and the address it was given.':
    'Sie wurde nicht abgewiesen: sie hat nicht angeklopft. Prüfe Strom, Netz und die Adresse, die sie bekam.',
  'Enrol a station with this id, or correct the id in the station’s address.': 'Nimm eine Station mit dieser Kennung auf, oder berichtige die Kennung in ihrer Adresse.',
  'It was retired here. Enrol it again if it is to come back.': 'Sie wurde hier stillgelegt. Nimm sie neu auf, wenn sie wiederkommen soll.',
  'Set the station’s address to wss:// instead of ws://.': 'Setze die Adresse der Station auf wss:// statt ws://.',
  'Put the certificate that was shown at enrolment into the station.': 'Gib der Station das Zertifikat, das bei der Aufnahme gezeigt wurde.',
  'The certificate belongs to another station: exchange it, or enrol this one with its own serial number.':
    'Das Zertifikat gehört einer anderen Station: tausche es, oder nimm diese mit ihrer eigenen Seriennummer auf.',
  'Make a new certificate by enrolling the station anew, and check its clock.': 'Erzeuge durch neue Aufnahme ein neues Zertifikat, und prüfe die Uhr der Station.',
  'The certificate comes from an authority that is not trusted here: use the one from the enrolment.':
    'Das Zertifikat kommt von einer Stelle, der hier nicht vertraut wird: benutze das von der Aufnahme.',
  'Enter the station’s key (AuthorizationKey) in the station.': 'Trage den Schlüssel der Station (AuthorizationKey) in ihr ein.',
  'The user name must be the station’s id.': 'Der Benutzername muss die Kennung der Station sein.',
  'Make a new key on the station’s page and enter it in the station.': 'Erzeuge auf ihrer Seite einen neuen Schlüssel und trage ihn in der Station ein.',
  'Set the station to OCPP 1.6 JSON or OCPP 2.0.1.': 'Stelle die Station auf OCPP 1.6 JSON oder OCPP 2.0.1.',
  'It tries too often: it is let in when it waits a moment.': 'Sie versucht es zu oft: sie darf herein, wenn sie kurz wartet.',
  'This was our own difficulty; the station tries again by itself.': 'Das lag an uns; die Station versucht es von selbst noch einmal.',
  'Compare the station’s settings with those of its enrolment.': 'Vergleiche die Einstellungen der Station mit denen ihrer Aufnahme.',
  // places
  'It can': 'Sie kann', 'What {evse} can do': 'Was {evse} kann', 'Change what {evse} can do': 'Ändern, was {evse} kann', 'As its station says': 'Wie ihre Station sagt', 'Saved. Partners are told.': 'Gespeichert. Partner erfahren es.',
  'Partners and their drivers are told of it. Say only what drivers can really use.': 'Partner und ihre Fahrer erfahren davon. Sage nur, was Fahrer wirklich nutzen können.',
  'Takes charging profiles': 'Nimmt Ladeprofile', "Takes a driver's preferences": 'Nimmt Wünsche des Fahrers', 'Terminal for chip cards': 'Terminal für Chipkarten', 'Terminal for contactless cards': 'Terminal für kontaktlose Karten', 'Payable by credit card': 'Mit Kreditkarte bezahlbar', 'Payable by debit card': 'Mit Debitkarte bezahlbar',
  'Terminal with a pin pad': 'Terminal mit PIN-Eingabe', 'Started and stopped from afar': 'Fernstart und -stopp', 'Reservable': 'Reservierbar', 'Card reader': 'Kartenleser', 'A remote start names the connector': 'Fernstart nennt den Anschluss', 'Tokens of a group count as one': 'Token einer Gruppe gelten als eines', 'Plug unlocked from afar': 'Stecker aus der Ferne entriegelt',
  'New place': 'Neuer Ort', 'Change the place': 'Ort ändern', 'Name, street, town or id': 'Name, Straße, Stadt oder Kennung', 'No place yet.': 'Noch kein Ort.',
  'Try fewer words.': 'Versuche weniger Wörter.', 'A station is enrolled at a place: begin with the place.': 'Eine Station wird an einem Ort aufgenommen: beginne mit dem Ort.',
  'Position': 'Position', 'Time zone': 'Zeitzone', 'for the hours of tariffs': 'für die Uhrzeiten der Tarife', 'Plug': 'Stecker', 'On the pole': 'Auf der Säule',
  'On the pole of {evse}': 'Auf der Säule von {evse}', 'Saved. Drivers see it on the map.': 'Gespeichert. Fahrer sehen es auf der Karte.',
  'Partners know the place by it. It cannot be changed later.': 'Partner kennen den Ort daran. Sie kann später nicht geändert werden.',
  'Street and number': 'Straße und Hausnummer', 'Post code': 'Postleitzahl', 'Town': 'Stadt', 'Country': 'Land',
  'Latitude in degrees': 'Breite in Grad', 'Longitude in degrees': 'Länge in Grad', 'Times of day in tariffs are this zone’s.': 'Uhrzeiten in Tarifen gelten in dieser Zone.',
  'No such time zone is known.': 'Diese Zeitzone ist nicht bekannt.',
  'The place is saved. Partners are told.': 'Der Ort ist gespeichert. Partner erfahren es.', 'Map to choose a position': 'Karte zum Wählen einer Position',
  'Click where the place is. There are no streets in this map: check the figures.': 'Klicke, wo der Ort ist. Die Karte zeigt keine Straßen: prüfe die Zahlen.',
  'Take the middle of the map': 'Kartenmitte nehmen',
  // meters
  'Meters': 'Zähler', 'EVSE, station or place': 'EVSE, Station oder Ort', 'Search meters': 'Zähler suchen', 'No meter fits.': 'Kein Zähler passt.', 'No meter yet.': 'Noch kein Zähler.',
  'A signature proves something only with a key that somebody compared with the meter itself, its papers or a public register.':
    'Eine Unterschrift beweist nur etwas mit einem Schlüssel, den jemand mit dem Zähler selbst, seinen Papieren oder einem öffentlichen Register verglichen hat.',
  'Meters appear with the charging points of enrolled stations.': 'Zähler erscheinen mit den Ladepunkten aufgenommener Stationen.',
  'Public key': 'Öffentlicher Schlüssel', 'Fingerprint': 'Fingerabdruck', 'not known': 'nicht bekannt', 'compared': 'verglichen', 'only seen': 'nur gesehen',
  'Enter a key': 'Schlüssel eintragen', 'Look or replace': 'Ansehen oder ersetzen', 'Compare': 'Vergleichen', 'Meter of {evse}': 'Zähler von {evse}',
  'Public key of the meter': 'Öffentlicher Schlüssel des Zählers',
  'In hex or base64, as the meter’s display, its papers or a register show it.': 'Hexadezimal oder Base64, wie ihn Anzeige, Papiere oder ein Register zeigen.',
  'This is no key of a meter that is known here.': 'Das ist kein Schlüssel eines Zählers, der hier bekannt ist.',
  'This key came with a record. Compare it with the meter itself: whoever forges a record forges the key beside it too.':
    'Dieser Schlüssel kam mit einem Datensatz. Vergleiche ihn mit dem Zähler selbst: wer einen Datensatz fälscht, fälscht auch den Schlüssel daneben.',
  'This is another key than the one that was compared. Records signed with the old one will not be valid any more.':
    'Das ist ein anderer Schlüssel als der verglichene. Mit dem alten signierte Datensätze gelten dann nicht mehr.',
  'I compared it: use this key': 'Verglichen: diesen Schlüssel benutzen',
  'Readings of {evse} are now fully valid: they are checked against the key you compared.':
    'Messwerte von {evse} sind jetzt voll gültig: sie werden mit dem verglichenen Schlüssel geprüft.',
  "from the operator's register, through your provider": 'aus dem Register des Betreibers, über deinen Anbieter',
  // tariffs
  'Only: {conditions}': 'Nur: {conditions}', 'Always': 'Immer', 'Otherwise': 'Sonst', 'Price, net': 'Preis, netto', 'VAT %': 'MwSt. %', 'Step': 'Schritt',
  'Remove this price': 'Diesen Preis entfernen', 'Remove these prices': 'Diese Preise entfernen', 'Move up': 'Nach oben', 'Move down': 'Nach unten',
  'When they apply': 'Wann sie gelten', 'Days of the week': 'Wochentage', 'none ticked: every day': 'keiner angekreuzt: jeden Tag',
  'Mon': 'Mo', 'Tue': 'Di', 'Wed': 'Mi', 'Thu': 'Do', 'Fri': 'Fr', 'Sat': 'Sa', 'Sun': 'So',
  'From (time of day)': 'Ab (Uhrzeit)', 'Until': 'Bis', 'First day': 'Erster Tag', 'Day after the last': 'Tag nach dem letzten',
  'From kWh delivered': 'Ab gelieferten kWh', 'Until kWh delivered': 'Bis gelieferte kWh', 'From kW of power': 'Ab kW Leistung', 'Until kW of power': 'Bis kW Leistung',
  'From minute of the session': 'Ab Minute des Ladevorgangs', 'Until minute of the session': 'Bis Minute des Ladevorgangs',
  'Always, without conditions': 'Immer, ohne Bedingungen', 'Add prices for certain times or amounts': 'Preise für bestimmte Zeiten oder Mengen hinzufügen',
  'Of each kind of price the first that fits counts, from top to bottom.': 'Von jeder Preisart zählt der erste passende, von oben nach unten.',
  'What it would cost': 'Was es kosten würde', 'Energy in kWh': 'Energie in kWh', 'Minutes of charging': 'Minuten Laden', 'Minutes parked after': 'Minuten Parken danach',
  'Begins ({zone})': 'Beginn ({zone})', 'Drivers see before the start, with VAT:': 'Fahrer sehen vor dem Start, mit MwSt.:', 'after charging': 'nach dem Laden',
  'per minute': 'pro Minute', '{from} to {until}': '{from} bis {until}', 'from {from}': 'ab {from}', 'until {until}': 'bis {until}',
  'delivered': 'geliefert', 'of power': 'Leistung', 'of the session': 'des Ladevorgangs',
  'Charging time': 'Ladezeit', 'Parking after charging': 'Parken nach dem Laden',
  'Where no condition holds, energy is free.': 'Wo keine Bedingung zutrifft, ist die Energie kostenlos.',
  'Where no condition holds, the session is free.': 'Wo keine Bedingung zutrifft, ist der Festbetrag null.',
  'Where no condition holds, time after charging is free.': 'Wo keine Bedingung zutrifft, ist die Zeit nach dem Laden kostenlos.',
  'Where no condition holds, charging time is free.': 'Wo keine Bedingung zutrifft, ist die Ladezeit kostenlos.',
  // hub and provider
  'Cards claimed by two providers': 'Karten, die zwei Anbieter beanspruchen', 'No card was claimed twice.': 'Keine Karte wurde zweimal beansprucht.',
  'A provider that offers a card of another one is refused and counted; whose card it is stays as it was. Which card it was is not kept here.':
    'Ein Anbieter, der eine fremde Karte anbietet, wird abgewiesen und gezählt; die Karte bleibt, wessen sie war. Welche es war, wird hier nicht aufbewahrt.',
  'Day': 'Tag', 'Refused to': 'Abgewiesen', 'Times': 'Male',
  'Odd messages': 'Auffälliges', 'Nobody sent anything odd.': 'Niemand hat Auffälliges gesendet.',
  'Partners sent these and were refused. One is a mistake; many are a reason to call them.':
    'Partner sandten dies und wurden abgewiesen. Einmal ist ein Versehen; oft ist ein Grund anzurufen.',
  // the driver
  'Keys for my own programs': 'Schlüssel für eigene Programme', 'made': 'erzeugt', 'last used': 'zuletzt benutzt', 'never used': 'nie benutzt',
  'With a key a program of yours may see places, start and stop, and read your sessions. It cannot make other keys or change your password.':
    'Mit einem Schlüssel darf dein Programm Orte sehen, starten und stoppen und deine Ladevorgänge lesen. Es kann keine Schlüssel erzeugen und dein Passwort nicht ändern.',
  'What the colours mean': 'Was die Farben bedeuten', 'a point is free': 'ein Punkt ist frei', 'all in use': 'alle belegt', 'several places': 'mehrere Orte',
};
