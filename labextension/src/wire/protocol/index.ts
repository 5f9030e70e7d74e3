/*
 * The frames of the wire contract, both ways, and the objects inside them.
 * Generated from jupyter_stop_chat/wire/ by scripts/generate_protocol.py: do not edit.
 */

import { ClientFrame } from './client';
import { ServerFrame } from './server';

/**
 * Any frame, either way.
 */
export type Frame = ClientFrame | ServerFrame;

export * from './objects';
export * from './tools';
export * from './client';
export * from './server';

/** Raised when a frame changes its meaning. */
export const PROTOCOL_VERSION = 1;
