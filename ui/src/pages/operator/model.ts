// A device model as a tree: components with their variables, each variable with its attributes. Names are the line's:
// `Component[instance].Variable[instance]`, behind `evse/` or `evse.connector/` where they belong to one.
import type { Variable } from '../../api.daily';
import type { Tone } from '../../status';

export interface Branch { component: string; variables: { name: string; attributes: Variable[] }[] }

/** Splits at the first dot that stands outside of brackets. */
export function split(name: string): [component: string, variable: string] {
  let depth = 0;
  const point = /^\d+(\.\d+)?\//.exec(name)?.[0].length ?? 0;
  for (let index = point; index < name.length; index += 1) {
    const letter = name[index];
    if (letter === '[' || letter === '(') depth += 1;
    else if (letter === ']' || letter === ')') depth -= 1;
    else if (letter === '.' && depth <= 0) return [name.slice(0, index), name.slice(index + 1)];
  }
  return ['', name];
}

export function tree(variables: Variable[]): Branch[] {
  const branches = new Map<string, Map<string, Variable[]>>();
  for (const one of variables) {
    const [component, variable] = split(one.name);
    const branch = branches.get(component) ?? new Map<string, Variable[]>();
    branch.set(variable, [...(branch.get(variable) ?? []), one]);
    branches.set(component, branch);
  }
  return [...branches].sort(([a], [b]) => a.localeCompare(b))
    .map(([component, of]) => ({ component, variables: [...of].sort(([a], [b]) => a.localeCompare(b)).map(([name, attributes]) => ({ name, attributes })) }));
}

/** The severities of OCPP 2.x, part 2, N: 0 is the worst. */
export const SEVERITIES = ['Danger', 'Hardware failure', 'System failure', 'Critical', 'Error', 'Alert', 'Warning', 'Notice', 'Information', 'Debug'];

export function severity(of: number | null): { word: string; tone: Tone } | null {
  if (of === null) return null;
  return { word: SEVERITIES[of] ?? String(of), tone: of <= 4 ? 'bad' : of <= 6 ? 'warn' : of === 7 ? 'busy' : 'plain' };
}
