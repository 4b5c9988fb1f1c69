import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";

/** The plain-object form of a message, without the message itself: the form that can be spread into another. */
export type Init<Desc extends DescMessage> = Extract<MessageInitShape<Desc>, { $typeName?: never }>;
