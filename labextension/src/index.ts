/** The plugins and the tokens: what JupyterLab loads. */
import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { browserClock } from './clock';
import { addCommands, CommandIDs } from './commands';
import { connectWith } from './connect';
import { ChatController } from './controller';
import { chatIcon } from './icon';
import { newId } from './ids';
import { rememberChat, rememberedChat } from './memory';
import { StopChatPanel } from './panel';
import { makeRender } from './rendering';
import { schedule } from './schedule';
import { PLUGIN_ID, StopChatSettings } from './settings';

/** The chat of the sidebar, for other extensions. */
export interface IStopChat {
  readonly controller: ChatController;
}

export const IStopChat = new Token<IStopChat>(
  'jupyter-stop-chat:IStopChat',
  'The chat in the sidebar: send, stop, and what it shows.'
);

const plugin: JupyterFrontEndPlugin<IStopChat> = {
  id: PLUGIN_ID,
  description: 'A chat in the sidebar whose Stop really stops.',
  autoStart: true,
  provides: IStopChat,
  requires: [IRenderMimeRegistry],
  optional: [ISettingRegistry, ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): IStopChat => {
    const trans = (translator ?? nullTranslator).load('jupyter_stop_chat');
    const settings = new StopChatSettings(registry);
    const server = app.serviceManager.serverSettings;
    const controller = new ChatController({
      clock: browserClock,
      connect: () => connectWith(server),
      makeId: newId,
      settings: () => settings.chat,
      words: {
        notConnected: trans.__('there is no connection to the server.'),
        noAnswer: trans.__('the server did not answer.'),
        promptTooLong: trans.__('The prompt is too long. Shorten it and send it again.')
      },
      remember: chatId => rememberChat(server.baseUrl, chatId),
      nextFrame: schedule
    });
    const panel = new StopChatPanel({
      controller,
      trans,
      render: makeRender(rendermime, trans),
      schedule,
      sendKey: () => settings.sendKey,
      onSettings: settings.onChange
    });
    panel.id = 'jupyter-stop-chat';
    panel.title.icon = chatIcon;
    panel.title.caption = trans.__('Stop Chat');
    app.shell.add(panel, 'left', { rank: 900, type: 'Stop Chat' });
    restorer?.add(panel, panel.id);

    addCommands(app.commands, palette, trans, {
      controller,
      open: () => app.shell.activateById(panel.id)
    });
    controller.start(rememberedChat(server.baseUrl));
    void Promise.all([app.restored, settings.ready]).then(() => {
      if (settings.openAtStart || PageConfig.getOption('stopChatOpen') === 'true') {
        void app.commands.execute(CommandIDs.open);
      }
    });
    return { controller };
  }
};

export default plugin;
