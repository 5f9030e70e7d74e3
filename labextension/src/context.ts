/** What every part of the panel has at hand. */
import { TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext, useSyncExternalStore } from 'react';

import { ChatController, Snapshot } from './controller';

export interface PanelTools {
  controller: ChatController;
  trans: TranslationBundle;
  render: (markdown: string) => Promise<HTMLElement>;
  /** Call once, at the next animation frame that is at least `ms` milliseconds away. */
  schedule: (what: () => void, ms: number) => void;
  sendKey: () => 'Enter' | 'Shift+Enter';
  /** Hear that the settings have changed; return what ends it. */
  onSettings: (listener: () => void) => () => void;
}

export const PanelContext = createContext<PanelTools | null>(null);

export function useTools(): PanelTools {
  const tools = useContext(PanelContext);
  if (!tools) {
    throw new Error('used outside the panel');
  }
  return tools;
}

export function useSnapshot(): Snapshot {
  const { controller } = useTools();
  return useSyncExternalStore(controller.subscribe, controller.getSnapshot);
}

/** Put the caret into the input. */
export function focusInput(): void {
  document.querySelector<HTMLTextAreaElement>('.jp-StopChat-input')?.focus();
}
