// Asks before something that cannot be taken back. One dialog for the whole app; the promise says what was chosen.
export interface Question { title: string; text: string; yes: string; danger?: boolean }

const state = $state<{ question: Question | null }>({ question: null });
let settle: ((yes: boolean) => void) | undefined;

export const asked = { get question(): Question | null { return state.question; } };

export function confirm(question: Question): Promise<boolean> {
  answer(false);
  state.question = question;
  return new Promise((resolve) => { settle = resolve; });
}

export function answer(yes: boolean): void {
  state.question = null;
  settle?.(yes);
  settle = undefined;
}
