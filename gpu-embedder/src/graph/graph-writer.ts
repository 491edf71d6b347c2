import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

/** ONNX TensorProto.DataType values that the builder writes. */
export const ELEMENT_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type ElementType = keyof typeof ELEMENT_TYPE;

/** ONNX Runtime's own operator domain; the fused BERT operators live there. */
export const MICROSOFT_DOMAIN = "com.microsoft";
/** ONNX operator set 17 is the newest whose operators used here need no newer IR; IR version 8 belongs to it. */
const ONNX_OPSET = 17;
const IR_VERSION = 8;

type Attribute = { readonly name: string } & (
  | { readonly f: number }
  | { readonly i: number }
  | { readonly s: string }
  | { readonly ints: readonly number[] }
  | { readonly g: object }
);

export type NodeOptions = {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly Attribute[];
  readonly domain?: string;
};

const schema = protobuf
  .parse(readFileSync(new URL("onnx.proto", import.meta.url), "utf8"), { keepCase: true })
  .root.lookupType("onnx.ModelProto");
const ATTRIBUTE_TYPE = { f: 1, i: 2, s: 3, g: 5, ints: 7 } as const;

function attributeMessage(attribute: Attribute): object {
  if ("f" in attribute) return { ...attribute, type: ATTRIBUTE_TYPE.f };
  if ("i" in attribute) return { ...attribute, type: ATTRIBUTE_TYPE.i };
  if ("g" in attribute) return { ...attribute, type: ATTRIBUTE_TYPE.g };
  if ("ints" in attribute) return { ...attribute, type: ATTRIBUTE_TYPE.ints };
  return { name: attribute.name, s: new TextEncoder().encode(attribute.s), type: ATTRIBUTE_TYPE.s };
}

/** Little-endian bytes of a typed array, without a copy. The supported platforms are all little-endian. */
function rawBytes(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Dimension of a graph input or output: a size, or the name of one that varies. */
export type Dimension = number | string;

/** `shape` undefined: of any shape. */
function valueInfo(name: string, type: ElementType, shape: readonly Dimension[] | undefined): object {
  const dim = shape?.map((size) => (typeof size === "number" ? { dim_value: size } : { dim_param: size }));
  const shaped = dim === undefined ? {} : { shape: { dim } };
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPE[type], ...shaped } } };
}

type Branch = (graph: GraphWriter) => string;

/** What a choice computes either way: one tensor of `type`. */
export type Branches = { readonly type: ElementType; readonly whenTrue: Branch; readonly whenFalse: Branch };

function branchMessage(add: Branch, type: ElementType): object {
  const graph = new GraphWriter();
  const result = add(graph);
  graph.output(result, type, undefined);
  return graph.message(result);
}

/** Collects the parts of one ONNX graph in order and encodes them. The same calls give the same bytes. */
export class GraphWriter {
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];

  input(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#inputs.push(valueInfo(name, type, shape));
  }

  output(name: string, type: ElementType, shape: readonly Dimension[] | undefined): void {
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** Adds a constant tensor and returns its name. The data is not copied until `encode`. */
  constant(name: string, type: ElementType, dims: readonly number[], data: ArrayBufferView): string {
    this.#initializers.push({ name, data_type: ELEMENT_TYPE[type], dims, raw_data: rawBytes(data) });
    return name;
  }

  /** Adds an operator and returns the name of its first output. */
  node(operator: string, options: NodeOptions): string {
    const first = options.outputs[0] ?? "";
    this.#nodes.push({
      op_type: operator,
      name: first,
      input: options.inputs,
      output: options.outputs,
      domain: options.domain ?? "",
      attribute: (options.attributes ?? []).map(attributeMessage),
    });
    return first;
  }

  /** Adds an operator of ONNX Runtime's own domain. */
  fused(operator: string, options: NodeOptions): string {
    return this.node(operator, { ...options, domain: MICROSOFT_DOMAIN });
  }

  /**
   * Adds a choice at run time and returns the name of its output: `whenTrue` where the scalar `condition` holds, `whenFalse` otherwise. Each adds its operators
   * to a writer of its own, sees the tensors added here before, and returns the name of its result. Every name is used once in the whole file.
   */
  choose(condition: string, output: string, branches: Branches): string {
    const attributes = [
      { name: "then_branch", g: branchMessage(branches.whenTrue, branches.type) },
      { name: "else_branch", g: branchMessage(branches.whenFalse, branches.type) },
    ];
    return this.node("If", { inputs: [condition], outputs: [output], attributes });
  }

  /** The operators and constants of this graph as ONNX's GraphProto. */
  message(name: string): object {
    return {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    };
  }

  /** The model file: protobuf bytes of ONNX's ModelProto. `metadata` is written in the order given. */
  encode(producerVersion: string, metadata: readonly (readonly [string, string])[]): Uint8Array {
    const model = {
      ir_version: IR_VERSION,
      producer_name: "gpu-embedder",
      producer_version: producerVersion,
      opset_import: [
        { domain: "", version: ONNX_OPSET },
        { domain: MICROSOFT_DOMAIN, version: 1 },
      ],
      graph: this.message("sentence-embedding"),
      metadata_props: metadata.map(([key, value]) => ({ key, value })),
    };
    return schema.encode(schema.fromObject(model)).finish();
  }
}
