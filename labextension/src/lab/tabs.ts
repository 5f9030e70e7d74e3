/** Chats as tabs of the main area, which come back with the layout. */
import { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from './commands';
import { ChatController } from '../chat/controller';
import { chatIcon } from './icon';
import { StopChatPanel } from '../panel/panel';
import { ShownChat } from '../chat/shownChat';
import { tabArgs } from '../stores/withoutPlace';
import { Views } from './views';

export interface TabsOptions {
  app: JupyterFrontEnd;
  restorer: ILayoutRestorer | null;
  trans: TranslationBundle;
  views: Views;
  /** Make a view of a chat; null for a new one. */
  makePanel: (chat: ChatController | string | null) => StopChatPanel;
}

/** Return a function that opens a chat as a tab. */
export function tabsOf(
  options: TabsOptions
): (chat: ChatController | string | null, withoutPlace?: boolean) => StopChatPanel {
  const { app, restorer, trans, views, makePanel } = options;
  const tracker = new WidgetTracker<StopChatPanel>({ namespace: 'stop-chat' });
  let count = 0;
  void restorer?.restore(tracker, {
    command: CommandIDs.openTab,
    args: tab => tabArgs(tab.shownChat),
    name: tab => tab.id
  });
  return open;

  function open(chat: ChatController | string | null, withoutPlace = false): StopChatPanel {
    const shows = ({ controller }: ShownChat): boolean =>
      controller === chat || (chat !== null && controller.chatId === chat);
    const tab = tracker.find(one => shows(one.shownChat)) ?? make(chat);
    if (withoutPlace && tab.shownChat.controller.isBlank) {
      tab.shownChat.controller.perChat.tellPlace(false);
    }
    if (!tab.isAttached) {
      app.shell.add(tab, 'main', { type: 'Stop Chat' });
    }
    app.shell.activateById(tab.id);
    return tab;
  }

  function make(chat: ChatController | string | null): StopChatPanel {
    const tab = makePanel(chat);
    tab.id = `jupyter-stop-chat-tab-${(count += 1)}`;
    tab.title.closable = true;
    tab.title.icon = chatIcon;
    const name = (): void => {
      const { chat } = tab.shownChat.controller.getSnapshot().chat;
      tab.title.label = chat?.title || trans.__('Chat');
      tab.title.caption = tab.title.label;
    };
    let kept = JSON.stringify(tabArgs(tab.shownChat));
    tab.shownChat.subscribe(() => {
      name();
      const args = JSON.stringify(tabArgs(tab.shownChat));
      if (args !== kept) {
        kept = args;
        void tracker.save(tab); // the layout remembers the chat
      }
    });
    name();
    views.add(tab);
    void tracker.add(tab);
    return tab;
  }
}
