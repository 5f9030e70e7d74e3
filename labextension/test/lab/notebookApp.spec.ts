// @vitest-environment jsdom
import { JupyterFrontEnd } from '@jupyterlab/application';
import { afterEach, beforeEach, describe, expect, it, MockInstance, vi } from 'vitest';

import { bringUp, keepOpen } from '../../src/lab/notebookApp';
import { rememberOpen } from '../../src/stores/memory';

type Area = import('@lumino/widgets').Panel;
type Sidebar = import('@lumino/widgets').Widget;

// what a browser has, and Lumino looks for as it is loaded
vi.stubGlobal('DragEvent', Event);
const { Panel, Widget } = await import('@lumino/widgets');

const SCOPE = '/';
let area: Area;
let sidebar: Sidebar;
let activate: MockInstance;

/** An application whose shell does with a sidebar what Jupyter Notebook 7.5 does. */
function notebook75(): JupyterFrontEnd {
  const activateById = (id: string): void => {
    expect(id).toBe(sidebar.id);
    area.setHidden(area.isVisible);
    if (area.isVisible) {
      sidebar.activate();
    }
  };
  const parts = {
    name: 'Jupyter Notebook',
    restored: Promise.resolve(),
    shell: { activateById }
  };
  return parts as unknown as JupyterFrontEnd;
}

beforeEach(() => {
  sidebar = new Widget();
  sidebar.id = 'chat';
  activate = vi.spyOn(sidebar, 'activate');
  area = new Panel();
  area.addWidget(sidebar);
  area.hide();
  Widget.attach(area, document.body);
});

afterEach(() => {
  area.dispose();
  sessionStorage.clear();
});

describe('a sidebar in Jupyter Notebook (L6)', () => {
  it('is shown, and stays so when it is to be shown again', () => {
    const app = notebook75();
    for (const times of [1, 2, 3]) {
      bringUp(app, sidebar);
      expect(sidebar.isVisible).toBe(true);
      expect(activate).toHaveBeenCalledTimes(times);
    }
    area.hide();
    bringUp(app, sidebar);
    expect(sidebar.isVisible).toBe(true);
  });

  it('is open after a reload, also where the settings open it too', async () => {
    const app = notebook75();
    rememberOpen(SCOPE, true);
    keepOpen(app, sidebar, SCOPE);
    await app.restored;
    bringUp(app, sidebar);
    expect(sidebar.isVisible).toBe(true);
  });

  it('is closed after a reload where it was closed', async () => {
    const app = notebook75();
    keepOpen(app, sidebar, SCOPE);
    await app.restored;
    expect(sidebar.isVisible).toBe(false);
  });
});

it('leaves it to JupyterLab to show what is shown', () => {
  const activateById = vi.fn();
  area.show();
  bringUp(
    {
      name: 'JupyterLab',
      shell: { activateById } as unknown as JupyterFrontEnd.IShell
    },
    sidebar
  );
  expect(activateById).toHaveBeenCalledWith('chat');
});
