import { LabIcon } from '@jupyterlab/ui-components';

/** A speech bubble with the square of a Stop button in it. */
export const chatIcon = new LabIcon({
  name: 'jupyter-stop-chat:chat',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">' +
    '<path class="jp-icon3" fill="#616161" d="M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H9l-5 4v-4' +
    'a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 2v11h2v2l2.4-2H20V5zm5 2.500h6v6H9z"/></svg>'
});
