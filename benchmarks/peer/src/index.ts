/** Put the chat of `@jupyter/chat` into the page, and let a benchmark write its messages. */
import {
  AbstractChatContext,
  AbstractChatModel,
  ChatWidget,
  IChatContext,
  IMessage,
  IUser
} from '@jupyter/chat';
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

const BOT: IUser = { username: 'bot', display_name: 'Bot' };

class Context extends AbstractChatContext {
  get users(): IUser[] {
    return [BOT];
  }
}

class Model extends AbstractChatModel {
  sendMessage(): void {
    // nobody writes here but the benchmark
  }

  createChatContext(): IChatContext {
    return new Context({ model: this });
  }
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'stop-chat-bench-peer:plugin',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, rmRegistry: IRenderMimeRegistry) => {
    let model: Model;
    let widget: ChatWidget | null = null;
    const add = (id: string, body: string): void =>
      model.messageAdded({ type: 'msg', id, body, time: 1, sender: BOT });
    const find = (id: string): IMessage =>
      model.messages.find(message => message.id === id) as IMessage;
    (window as unknown as Record<string, unknown>).benchPeer = {
      open: () => {
        widget?.dispose();
        model = new Model({ id: 'bench' });
        widget = new ChatWidget({ model, rmRegistry });
        widget.id = 'bench-peer';
        app.shell.add(widget, 'left', { rank: 950 });
        app.shell.activateById(widget.id);
      },
      add,
      addAll: (bodies: string[]) =>
        model.messagesInserted(
          0,
          bodies.map((body, n) => ({ type: 'msg', id: `m${n}`, body, time: 1, sender: BOT }))
        ),
      grow: (id: string, body: string) => find(id).update({ body })
    };
  }
};

export default plugin;
