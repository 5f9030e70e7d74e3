/** Tables that are wider than the panel. */

/** Put each table into a frame of its own, in which it is scrolled sideways. */
export function frameTables(root: HTMLElement): void {
  for (const table of root.querySelectorAll('table')) {
    if (table.parentElement?.closest('table')) {
      continue; // it is scrolled with the one around it
    }
    const frame = document.createElement('div');
    frame.className = 'jp-StopChat-table';
    frame.tabIndex = 0; // what is wider than the panel is scrolled by keys as well
    table.replaceWith(frame);
    frame.append(table);
  }
}
