/** What goes with a prompt that is asked at once: shortened where the model takes no more. */
import { ASSUMED, headAndTail, refuses } from '../../chat/attachments';
import { ChatController } from '../../chat/controller';
import { NextModel } from '../attaching';
import { Attachment } from '../../wire/protocol';

/** @param note is put in the place of what is left out. */
export function fitting(
  controller: ChatController,
  models: NextModel,
  one: Attachment,
  note: string
): Attachment {
  const limits = controller.getSnapshot().welcome?.limits ?? ASSUMED;
  const tokens = models.info(models.effective)?.max_input_tokens;
  const room = { text: '', attachments: [], tokens };
  return refuses(limits, room, one) === null ? one : headAndTail(limits, room, one, note);
}
