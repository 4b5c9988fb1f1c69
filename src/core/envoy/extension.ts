import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";

/** A filter, a socket or a predicate: the form in which Envoy takes whatever is built into it by name. */
export interface Extension {
  readonly name: string;
  readonly configType: { readonly case: "typedConfig"; readonly value: Any };
}

/** Emits an extension with its settings; those left out are Envoy's defaults. */
export function emitExtension<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  settings: MessageInitShape<Desc>,
): Extension {
  return { name, configType: { case: "typedConfig", value: packSettings(schema, settings) } };
}

/** The settings alone, for maps that are keyed by the extension's name. */
export function packSettings<Desc extends DescMessage>(schema: Desc, settings: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, settings));
}
