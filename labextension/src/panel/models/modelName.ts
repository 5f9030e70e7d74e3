/** What a model is called, and where the list of models is opened. */
import { useTools } from '../context';
import { BUILT_IN } from '../../stores/modelChoice';

/** What a model is called. */
export function useModelName(): (id: string | null) => string {
  const { models, trans } = useTools();
  return id => {
    const info = models.info(id);
    if (id === BUILT_IN) {
      return trans.__('%1 (local, small)', info?.label ?? 'SmolLM2');
    }
    if (info?.local || id?.startsWith('local:')) {
      return trans.__('%1 (local)', id?.split(/[/\\:]/).pop() ?? '');
    }
    return info?.label ?? id ?? '';
  };
}

/** Open the list of models of the panel that an element is in. */
export function openPicker(within: Element): void {
  const root = within.closest('.jp-StopChat-panel');
  const button = root?.querySelector<HTMLElement>('button.jp-StopChat-model');
  if (button?.getAttribute('aria-expanded') === 'false') {
    button.click();
  }
}
