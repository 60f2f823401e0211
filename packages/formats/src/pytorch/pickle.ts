import type { FormatError } from "@ocelli/core";
import { decodeUtf8, formatError } from "../bytes.js";
import type { Budget } from "./budget.js";

/** A function or class that a pickle may name. */
export type Callable = (args: readonly unknown[], offset: number) => unknown;

export interface PickleOptions {
  readonly file: string;
  /** Where the pickle starts. */
  readonly offset?: number;
  /** What stands for a global name (`collections`, `OrderedDict`): a value or a {@link Callable}. @throws FormatError for all others */
  readonly global: (module: string, name: string, offset: number) => unknown;
  /** What a persistent id stands for. @throws FormatError */
  readonly persistent: (id: unknown, offset: number) => unknown;
  readonly budget: Budget;
}

export interface Unpickled {
  readonly value: unknown;
  /** Offset after the pickle. */
  readonly end: number;
}

/** Python's tuple: an array that nothing is appended to. */
class Tuple extends Array<unknown> {}

/** The arguments in a tuple, or undefined for what is none. */
export function tupleItems(value: unknown): readonly unknown[] | undefined {
  return value instanceof Tuple ? value : undefined;
}

/** What a `global` may return for the class of numpy's dtypes and their like: an object that `BUILD` may give a state. */
export interface Buildable {
  build(state: unknown, offset: number): void;
}

/** Memory of containers, roughly; a byte of a pickle makes one. */
const dictBytes = 200;
const listBytes = 40;
const memoBytes = 40;
const maxIntegerBytes = 256;

/**
 * Runs a pickle: a program for a stack machine that puts together dictionaries, lists, tuples, strings and numbers. Of the opcodes
 * that Python has, those are known that its protocols 2 to 5 write; the names that it may use are the caller's closed list.
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the opcodes.
 * @throws FormatError
 */
export function unpickle(bytes: Uint8Array, options: PickleOptions): Unpickled {
  return new Machine(bytes, options).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, unknown>();
  #stack: unknown[] = [];
  /** Heights of the stack at the marks. */
  readonly #marks: number[] = [];
  #at: number;
  /** Of the opcode that runs. */
  #start: number;

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
    this.#at = options.offset ?? 0;
    this.#start = this.#at;
  }

  run(): Unpickled {
    for (;;) {
      this.#start = this.#at;
      const opcode = this.#u8();
      if (opcode === 0x2e) return { value: plain(this.#pop()), end: this.#at };
      const run = opcodes[opcode];
      if (run === undefined)
        throw this.error(`0x${opcode.toString(16).padStart(2, "0")} is no opcode that PyTorch writes`);
      run(this);
    }
  }

  error(message: string): FormatError {
    return formatError(this.#options.file, `damaged pickle: ${message}`, { offset: this.#start });
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pushDict(): void {
    this.#spend(dictBytes);
    this.push(new Map());
  }

  pushList(items: unknown[] = []): void {
    this.#spend(listBytes);
    this.push(items);
  }

  pushTuple(items: readonly unknown[]): void {
    this.#spend(listBytes);
    this.push(Tuple.from(items, plain));
  }

  /** The topmost `count` values as a tuple. */
  tupleOf(count: number): void {
    if (this.#stack.length - this.#floor() < count) throw this.error("the stack is empty");
    this.pushTuple(this.#stack.splice(this.#stack.length - count));
  }

  pop(): unknown {
    return this.#pop();
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** The values above the last mark, which goes away. */
  aboveMark(): unknown[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.error("no mark is set");
    return this.#stack.splice(height);
  }

  append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list) || list instanceof Tuple) throw this.error("items are appended to what is no list");
    for (const item of items) list.push(plain(item));
  }

  setItems(items: readonly unknown[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map)) throw this.error("items are set in what is no dictionary");
    if (items.length % 2 !== 0) throw this.error("a key has no value");
    for (let i = 0; i < items.length; i += 2) dict.set(plain(items[i]), plain(items[i + 1]));
  }

  put(index: number): void {
    this.#spend(memoBytes);
    this.#memo.set(index, this.#top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    if (!this.#memo.has(index)) throw this.error(`memo ${index} was never set`);
    this.push(this.#memo.get(index));
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") throw this.error("a global's name is no string");
    const value = this.#options.global(module, name, this.#start);
    this.push(typeof value === "function" ? new Named(`${module}.${name}`, value as Callable) : value);
  }

  persistent(): void {
    this.push(this.#options.persistent(this.#pop(), this.#start));
  }

  /** Calls what the caller's list has for a name; also for `NEWOBJ`, which makes an object of a class. */
  reduce(): void {
    const args = tupleItems(this.#pop());
    const target = this.#pop();
    if (args === undefined) throw this.error("the arguments of a call are no tuple");
    if (!(target instanceof Named)) throw this.error("what is called is no function");
    this.#spend(dictBytes);
    this.push(target.call(args, this.#start));
  }

  /** An object's attributes. Those of dictionaries (`_metadata` of a state_dict) are not kept. */
  build(): void {
    const state = this.#pop();
    const target = this.#top();
    if (isBuildable(target)) target.build(state, this.#start);
    else if (!(target instanceof Map)) throw this.error("attributes are set on what has none");
  }

  /** The operand of an opcode. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw this.error(`${length} bytes were expected; ${this.#bytes.length - this.#at} are left`);
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  text(length: number): string {
    const text = decodeUtf8(this.take(length));
    if (text === undefined) throw this.error("a string is not UTF-8");
    return text;
  }

  /** Python 2's strings: UTF-8 where they are, bytes one to a character otherwise. */
  oldText(length: number): string {
    const bytes = this.take(length);
    return decodeUtf8(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.error("a line does not end");
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  integer(length: number): number | bigint {
    if (length > maxIntegerBytes)
      throw this.error(`an integer has ${length} bytes; at most ${maxIntegerBytes} are read`);
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  u8 = (): number => this.#u8();
  u16 = (): number => this.#read(2, (at) => this.#view.getUint16(at, true));
  u32 = (): number => this.#read(4, (at) => this.#view.getUint32(at, true));
  i32 = (): number => this.#read(4, (at) => this.#view.getInt32(at, true));
  f64 = (): number => this.#read(8, (at) => this.#view.getFloat64(at, false));

  u64 = (): number => {
    const value = this.#read(8, (at) => Number(this.#view.getBigUint64(at, true)));
    if (!Number.isSafeInteger(value)) throw this.error(`a length is ${value}`);
    return value;
  };

  #read(length: number, get: (at: number) => number): number {
    const at = this.#at;
    this.take(length);
    return get(at);
  }

  #u8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.error("it is cut off");
    this.#at++;
    return byte;
  }

  /** Values below the last mark are out of reach. */
  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #top(): unknown {
    if (this.#stack.length <= this.#floor()) throw this.error("the stack is empty");
    return this.#stack.at(-1);
  }

  #pop(): unknown {
    if (this.#stack.length <= this.#floor()) throw this.error("the stack is empty");
    return this.#stack.pop();
  }

  #spend(bytes: number): void {
    this.#options.budget.spend(bytes, "a container of the pickle", this.#start);
  }
}

/** A function or class on the stack. Kept in a container, it is only its name. */
class Named {
  readonly name: string;
  readonly call: Callable;
  constructor(name: string, call: Callable) {
    this.name = name;
    this.call = call;
  }
}

const plain = (value: unknown): unknown => (value instanceof Named ? value.name : value);

function isBuildable(value: unknown): value is Buildable {
  return typeof value === "object" && value !== null && "build" in value && typeof value.build === "function";
}

const opcodes: Readonly<Record<number, (machine: Machine) => void>> = {
  128: (m) => {
    const protocol = m.u8();
    if (protocol < 2 || protocol > 5) throw m.error(`its protocol is ${protocol}; 2 to 5 are read`);
  },
  149: (m) => void m.u64(),
  // Marks, the stack, the memo
  40: (m) => m.mark(),
  48: (m) => void m.pop(),
  49: (m) => void m.aboveMark(),
  104: (m) => m.get(m.u8()),
  106: (m) => m.get(m.u32()),
  113: (m) => m.put(m.u8()),
  114: (m) => m.put(m.u32()),
  148: (m) => m.memoize(),
  // None, booleans, numbers
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  74: (m) => m.push(m.i32()),
  75: (m) => m.push(m.u8()),
  77: (m) => m.push(m.u16()),
  138: (m) => m.push(m.integer(m.u8())),
  139: (m) => m.push(m.integer(m.u32())),
  71: (m) => m.push(m.f64()),
  // Strings and bytes
  88: (m) => m.push(m.text(m.u32())),
  140: (m) => m.push(m.text(m.u8())),
  141: (m) => m.push(m.text(m.u64())),
  84: (m) => m.push(m.oldText(m.u32())),
  85: (m) => m.push(m.oldText(m.u8())),
  66: (m) => m.push(m.take(m.u32())),
  67: (m) => m.push(m.take(m.u8())),
  142: (m) => m.push(m.take(m.u64())),
  // Containers
  125: (m) => m.pushDict(),
  115: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.setItems([key, value]);
  },
  117: (m) => m.setItems(m.aboveMark()),
  93: (m) => m.pushList(),
  97: (m) => m.append([m.pop()]),
  101: (m) => m.append(m.aboveMark()),
  41: (m) => m.pushTuple([]),
  116: (m) => m.pushTuple(m.aboveMark()),
  133: (m) => m.tupleOf(1),
  134: (m) => m.tupleOf(2),
  135: (m) => m.tupleOf(3),
  // Names and objects
  99: (m) => m.global(m.line(), m.line()),
  147: (m) => {
    const name = m.pop();
    m.global(m.pop(), name);
  },
  81: (m) => m.persistent(),
  82: (m) => m.reduce(),
  129: (m) => m.reduce(),
  98: (m) => m.build(),
};
