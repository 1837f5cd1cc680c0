// Payloads of the expert console: an example of every request, and what is wrong with one that was typed. The part of
// JSON Schema that OCPP's schemas use, no more; sentences are keys of the dictionary, with their gaps.
export interface Schema {
  type?: string; $ref?: string; enum?: string[]; format?: string; maxLength?: number; minItems?: number; maxItems?: number;
  minimum?: number; maximum?: number; required?: string[]; properties?: Record<string, Schema>; items?: Schema;
}
export interface Actions { actions: Record<string, Schema>; types: Record<string, Schema> }
export interface Finding { path: string; text: string; fill?: Record<string, string | number> }

/** Deeper than any message of OCPP; a type that contained itself would end here. */
const DEPTH_MAX = 16;

/** The requests of a version; nothing where we hold no schemas of it. SOAP has the names of 1.6. */
export async function actionsOf(ocpp: string | null): Promise<Actions | null> {
  if (!ocpp) return null;
  if (ocpp.startsWith('2.1')) return (await import('./2.1.json')).default as Actions;
  if (ocpp.startsWith('2.0')) return (await import('./2.0.1.json')).default as Actions;
  return ocpp.startsWith('1.') ? ((await import('./1.6.json')).default as Actions) : null;
}

const resolved = (of: Actions, schema: Schema): Schema => (schema.$ref ? (of.types[schema.$ref] ?? {}) : schema);

/** With the fields that must be there, or with all of them. */
export function example(of: Actions, action: string, all = false, now = new Date()): unknown {
  const schema = of.actions[action];
  return schema ? sample(of, schema, action, all, now, 0) : {};
}

function sample(of: Actions, raw: Schema, name: string, all: boolean, now: Date, depth: number): unknown {
  const schema = resolved(of, raw);
  if (depth > DEPTH_MAX) return null;
  if (schema.properties) {
    const wanted = Object.keys(schema.properties).filter((field) => all || schema.required?.includes(field));
    return Object.fromEntries(wanted.map((field) => [field, sample(of, schema.properties?.[field] ?? {}, field, all, now, depth + 1)]));
  }
  switch (schema.type) {
    case 'array': return Array.from({ length: schema.minItems ?? 1 }, () => sample(of, schema.items ?? {}, name, all, now, depth + 1));
    case 'boolean': return false;
    case 'integer': case 'number': return Math.min(Math.max(1, schema.minimum ?? 0), schema.maximum ?? 1);
    case 'string': return schema.enum?.[0] ?? (schema.format === 'date-time' ? now.toISOString() : word(name).slice(0, schema.maxLength));
    default: return {};
  }
}

/** What a technician would type, where a name says it. */
function word(name: string): string {
  const known: Record<string, string> = {
    idTag: '04A2B3C4D5E6F7', parentIdTag: '04A2B3C4D5E6F7', key: 'HeartbeatInterval', value: '300', vendorId: 'com.example', location: 'https://example.org/',
    remoteLocation: 'https://example.org/', component: 'OCPPCommCtrlr', transactionId: 'transaction', content: 'Hello', currency: 'EUR', limit: '16',
  };
  return known[name] ?? name;
}

/** What the text is, or why it is no JSON object. */
export function parsed(text: string): { value?: Record<string, unknown>; finding?: Finding } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return { finding: { path: '', text: 'This is no JSON: {why}', fill: { why: cause instanceof Error ? cause.message : String(cause) } } };
  }
  if (kind(value) !== 'object') return { finding: { path: '', text: 'A payload is an object: {…}.' } };
  return { value: value as Record<string, unknown> };
}

/** Everything that the schema of the action does not allow. An action that is not known has no findings. */
export function check(of: Actions, action: string, payload: unknown): Finding[] {
  const schema = of.actions[action];
  return schema ? judge(of, schema, payload, '', 0) : [];
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function judge(of: Actions, raw: Schema, value: unknown, path: string, depth: number): Finding[] {
  const schema = resolved(of, raw);
  if (depth > DEPTH_MAX) return [];
  const found = kind(value);
  const wanted = schema.type ?? found;
  const fits = wanted === 'integer' ? Number.isInteger(value) : wanted === found;
  if (!fits) return [{ path, text: 'must be {wanted}, is {found}', fill: { wanted, found } }];
  if (found === 'object') return fields(of, schema, value as Record<string, unknown>, path, depth);
  if (found === 'array') return items(of, schema, value as unknown[], path, depth);
  return typeof value === 'string' ? text(schema, value, path) : number(schema, value, path);
}

function fields(of: Actions, schema: Schema, value: Record<string, unknown>, path: string, depth: number): Finding[] {
  if (!schema.properties) return [];
  const known = schema.properties;
  const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => ({ path: `${path}/${name}`, text: 'is missing' }));
  const inside = Object.entries(value).flatMap(([name, inner]) => {
    const field = known[name];
    if (name === 'customData') return [];
    return field ? judge(of, field, inner, `${path}/${name}`, depth + 1) : [{ path: `${path}/${name}`, text: 'is not a field of this message' }];
  });
  return [...missing, ...inside];
}

function items(of: Actions, schema: Schema, value: unknown[], path: string, depth: number): Finding[] {
  const few = schema.minItems !== undefined && value.length < schema.minItems;
  const many = schema.maxItems !== undefined && value.length > schema.maxItems;
  const count: Finding[] = few ? [{ path, text: 'needs at least {n} of them', fill: { n: schema.minItems ?? 0 } }]
    : many ? [{ path, text: 'may have {n} of them at most', fill: { n: schema.maxItems ?? 0 } }] : [];
  return [...count, ...value.flatMap((inner, index) => judge(of, schema.items ?? {}, inner, `${path}/${index}`, depth + 1))];
}

function text(schema: Schema, value: string, path: string): Finding[] {
  if (schema.enum && !schema.enum.includes(value)) return [{ path, text: 'must be one of: {words}', fill: { words: schema.enum.join(', ') } }];
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return [{ path, text: 'is longer than {n} characters', fill: { n: schema.maxLength } }];
  const moment = schema.format !== 'date-time' || (/^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)));
  return moment ? [] : [{ path, text: 'must be a time such as 2026-11-22T08:00:00Z' }];
}

function number(schema: Schema, value: unknown, path: string): Finding[] {
  if (typeof value !== 'number') return [];
  if (schema.minimum !== undefined && value < schema.minimum) return [{ path, text: 'must be at least {n}', fill: { n: schema.minimum } }];
  return schema.maximum !== undefined && value > schema.maximum ? [{ path, text: 'must be at most {n}', fill: { n: schema.maximum } }] : [];
}
