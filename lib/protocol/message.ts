/**
 * A message, defined once: its name, its data and the data of its reply. The tables of README.md
 * are made from these definitions. envelope.ts encodes and decodes.
 * @module
 */

import { type Field, record, type RecordBounds, type RecordOf, type Shape } from "./field.ts";

/** A request and the reply that answers it. The reply's status is `METHOD_OK`. */
export interface Request<Data, Reply> {
  readonly method: string;
  /** One sentence for the protocol table: caller, receiver, and what is requested. */
  readonly about: string;
  readonly data: Field<Data>;
  readonly reply: Field<Reply>;
  /** Whether raw bytes follow the reply's line. */
  readonly body: boolean;
  /** The fields of `data` and `reply`, for the protocol table. */
  readonly shapes: { readonly data: Shape; readonly reply: Shape };
}

/** A message that nobody answers. */
export interface News<Data> {
  readonly event: string;
  readonly about: string;
  readonly data: Field<Data>;
  readonly shapes: { readonly data: Shape };
}

/** What a request carries. */
export type DataOf<M> = M extends Request<infer Data, unknown> ? Data : M extends News<infer Data> ? Data : never;

/** What the reply to a request carries. */
export type ReplyOf<M> = M extends Request<unknown, infer Reply> ? Reply : never;

interface RequestParts<D extends Shape, R extends Shape> extends RecordBounds {
  readonly about: string;
  readonly data: D;
  readonly reply: R;
  readonly body?: boolean | undefined;
}

/** Defines a request. `exactlyOneOf` applies to its data. */
export function request<D extends Shape, R extends Shape>(
  method: string,
  parts: RequestParts<D, R>,
): Request<RecordOf<D>, RecordOf<R>> {
  return {
    method,
    about: parts.about,
    data: record(parts.data, parts),
    reply: record(parts.reply),
    body: parts.body ?? false,
    shapes: { data: parts.data, reply: parts.reply },
  };
}

/** Defines news. */
export function news<D extends Shape>(event: string, parts: { about: string; data: D }): News<RecordOf<D>> {
  return { event, about: parts.about, data: record(parts.data), shapes: { data: parts.data } };
}
