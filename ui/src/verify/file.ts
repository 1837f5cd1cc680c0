// Files with signed records as drivers have them: the SAFE XML container, our own evidence file and raw OCMF text. Finds the sessions in them
// and the keys that lay beside the records; judges nothing. Nothing in a file is executed, fetched or uploaded.
import { fromBase64, fromHex } from './bytes';
import { readRecord } from './ocmf';
import { marks } from './session';

export interface Bundle { records: string[]; format: string; key: string | null }

export class FileFault extends Error {}

/** A session's evidence is a few kilobytes; a file of this size holds thousands. */
export const FILE_MAX = 8 * 1024 * 1024;
const SESSIONS_MAX = 500;

export function readFile(text: string): Bundle[] {
  if (text.length > FILE_MAX) throw new FileFault('the file is too large for signed records');
  const content = text.replace(/^\ufeff/, '').trim();
  const bundles = content.startsWith('<') ? readXml(content) : content.startsWith('{') ? readEvidence(content) : readText(content);
  if (bundles.length === 0) throw new FileFault('the file holds no signed record that is known here');
  if (bundles.length > SESSIONS_MAX) throw new FileFault('the file holds too many sessions');
  return bundles;
}

function readText(content: string): Bundle[] {
  // A record may run over several lines; white space inside it was signed and stays.
  const records = content.split(/^(?=OCMF\|)/m).map((record) => record.trim()).filter((record) => record.startsWith('OCMF|'));
  return gather(records.map((record) => ({ record, format: 'OCMF', key: null })));
}

/** Our own evidence file: `{"evidence": 1, "records": [{format, data | data_base64, public_key}], public_key}`. */
function readEvidence(content: string): Bundle[] {
  let file: Evidence;
  try { file = JSON.parse(content) as Evidence; } catch { throw new FileFault('the file is damaged: this is no JSON'); }
  if (file.evidence !== 1) return [];
  if (!Array.isArray(file.records)) throw new FileFault('the file is damaged: there is no list of records');
  return gather(file.records.map((entry) => {
    const bytes = typeof entry.data_base64 === 'string' ? fromBase64(entry.data_base64) : null;
    const record = typeof entry.data === 'string' ? entry.data : bytes && new TextDecoder().decode(bytes);
    if (!record) throw new FileFault('the file is damaged: a record has no data');
    return { record: record.trim(), format: String(entry.format ?? '').toUpperCase(), key: entry.public_key ?? file.public_key ?? null };
  }));
}

interface Evidence {
  evidence?: unknown;
  public_key?: string;
  records?: { format?: unknown; data?: unknown; data_base64?: unknown; public_key?: string }[];
}

interface Value { record: string; format: string; key: string | null }

function readXml(content: string): Bundle[] {
  if (/<!DOCTYPE|<!ENTITY/i.test(content)) throw new FileFault('the file is damaged: it declares a document type');
  const tree = new DOMParser().parseFromString(content, 'application/xml');
  if (tree.getElementsByTagName('parsererror').length > 0) throw new FileFault('the file is damaged: it is no well-formed XML');
  const values = [...tree.getElementsByTagName('value')].flatMap((value): Value[] => {
    const data = child(value, 'signedData');
    if (!data) return [];
    const key = child(value, 'publicKey');
    return [{
      record: decode(data.textContent ?? '', data.getAttribute('encoding')),
      format: (data.getAttribute('format') ?? 'OCMF').toUpperCase(),
      key: key?.textContent?.trim() || null,
    }];
  });
  return gather(values);
}

function child(parent: Element, name: string): Element | undefined {
  return [...parent.children].find(({ localName }) => localName === name);
}

function decode(text: string, encoding: string | null): string {
  const trimmed = text.trim();
  const bytes = encoding === 'base64' ? fromBase64(trimmed.replace(/\s/g, '')) : encoding === 'hex' ? fromHex(trimmed) : null;
  return bytes ? new TextDecoder().decode(bytes) : trimmed;
}

/** A record that begins and ends is a session; one that begins opens one, and the next that ends closes it. */
function gather(values: Value[]): Bundle[] {
  const bundles: Bundle[] = [];
  let open = false;
  for (const { record, format, key } of values) {
    const { begins, ends } = marksOf(record);
    const last = bundles.at(-1);
    if (open && !begins && last && last.format === format) {
      last.records.push(record);
      last.key ??= key;
    } else {
      bundles.push({ records: [record], format, key });
    }
    open = begins ? !ends : open && !ends;
  }
  return bundles;
}

function marksOf(record: string): { begins: boolean; ends: boolean } {
  try { return marks(readRecord(record)); } catch { return { begins: false, ends: false }; }
}
