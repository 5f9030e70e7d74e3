/** Starts the kernel of an open notebook, as its person would. */
import { NotebookPanel } from '@jupyterlab/notebook';

import { PageFailure } from '../../../chat/tools/pageCalls';

/**
 * Start a notebook's kernel, unless it lives.
 *
 * @param begin is called in the step in which it is started, and throws where it must not be.
 * @throws PageFailure where none could be started.
 */
export async function startKernel(
  { context, sessionContext }: NotebookPanel,
  begin: () => void
): Promise<{ kernel_id: string }> {
  const kernel = sessionContext.session?.kernel;
  const isDead = kernel?.status === 'dead';
  if (kernel && !isDead) {
    return { kernel_id: kernel.id };
  }
  begin();
  if (isDead) {
    await sessionContext.restartKernel();
  } else if (await sessionContext.startKernel()) {
    // its person chose to have none; they have allowed this one
    const { specs } = sessionContext.specsManager;
    const own = context.model.defaultKernelName;
    const name = own && specs?.kernelspecs[own] ? own : specs?.default;
    await sessionContext.changeKernel(name ? { name } : {}).catch(() => null);
  }
  const started = sessionContext.session?.kernel;
  if (!started || started.status === 'dead') {
    throw new PageFailure('failed');
  }
  return { kernel_id: started.id };
}
