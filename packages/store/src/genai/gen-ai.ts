/**
 * The typed part of a span that follows the GenAI conventions of OpenTelemetry, under their present attribute
 * names and those that they had before:
 *
 * | part | now | before |
 * | --- | --- | --- |
 * | provider | `gen_ai.provider.name` | `gen_ai.system` |
 * | input tokens | `gen_ai.usage.input_tokens` | `gen_ai.usage.prompt_tokens` |
 * | output tokens | `gen_ai.usage.output_tokens` | `gen_ai.usage.completion_tokens` |
 * | time to first token | `gen_ai.response.time_to_first_chunk`, in seconds | `gen_ai.server.time_to_first_token` |
 *
 * There is no attribute for what a call cost; `gen_ai.usage.cost` is what most instrumentations write.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
 */
import { type Attributes, type AttributeValue, Double, type SpanData } from '@tracewell/plugin';
import { shown } from '../shown.ts';

/** What is known of a call to a generative model, of an agent's step, or of a tool that it used. */
export interface GenAi {
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** `chat`, `embeddings`, `execute_tool` …; empty if the span does not say. */
  readonly operation: string;
  /** `openai`, `anthropic`, `aws.bedrock` …; empty if the span does not say. */
  readonly provider: string;
  /** The model that answered, or the one that was asked for if the answer does not say; empty for neither. */
  readonly model: string;
  /** Tokens of the prompt, those from a cache included. */
  readonly inputTokens?: number;
  /** Those of them that came from the provider's cache. */
  readonly cachedInputTokens?: number;
  /** Tokens of the answer. */
  readonly outputTokens?: number;
  /** What the call cost, in the currency of whoever gave it: the span itself, or the price table. */
  readonly cost?: number;
  /** Where `cost` is from. */
  readonly costSource?: 'span' | 'prices';
  /** Milliseconds from the start to the first token. */
  readonly timeToFirstTokenMs?: number;
  /** Why the model stopped, for each answer: `stop`, `length`, `tool_calls` … */
  readonly finishReasons: readonly string[];
  /** The conversation that the call belongs to. */
  readonly conversationId?: string;
  /** The agent or the tool that was run. */
  readonly agent?: string;
  readonly tool?: string;
}

/** What a model costs, in any one currency. */
export interface GenAiPrice {
  /** For a million tokens of input. */
  readonly inputPerMillion: number;
  /** For a million tokens of output. */
  readonly outputPerMillion: number;
  /** For a million tokens of input that came from the provider's cache. Default `inputPerMillion`. */
  readonly cachedInputPerMillion?: number | undefined;
}

/**
 * What models cost, by their names. A name that ends in `*` stands for all that begin so; the longest one that
 * fits counts.
 */
export type GenAiPrices = { readonly [model: string]: GenAiPrice };

const TIME_TO_FIRST = ['gen_ai.response.time_to_first_chunk', 'gen_ai.server.time_to_first_token'];

/**
 * The typed part of a span.
 *
 * @param prices - for spans that do not say themselves what they cost. Default: their cost is not known
 * @returns `undefined` if the span follows none of the GenAI conventions
 *
 * @example
 * ```ts
 * import { genAiOf } from '@tracewell/store';
 * import type { SpanData } from '@tracewell/plugin';
 *
 * const prices = { 'model-x*': { inputPerMillion: 2, outputPerMillion: 8 } };
 * const costOf = (span: SpanData) => genAiOf(span, prices)?.cost ?? 0;
 * console.log(costOf.length); // 1
 * ```
 */
export function genAiOf(span: SpanData, prices: GenAiPrices = {}): GenAi | undefined {
  const { attributes, spanId } = span;
  const operation = text(attributes, 'gen_ai.operation.name');
  const provider = text(attributes, 'gen_ai.provider.name', 'gen_ai.system');
  const model = text(attributes, 'gen_ai.response.model', 'gen_ai.request.model');
  if (operation === undefined && provider === undefined && model === undefined) return undefined;

  const usage = {
    inputTokens: number(attributes, 'gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'),
    cachedInputTokens: number(attributes, 'gen_ai.usage.cache_read.input_tokens'),
    outputTokens: number(attributes, 'gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens'),
  };
  const given = number(attributes, 'gen_ai.usage.cost');
  const cost = given ?? priced(usage, priceOf(model, prices));
  const seconds = number(attributes, ...TIME_TO_FIRST);
  return present<GenAi>({
    spanId,
    operation: operation ?? '',
    provider: provider ?? '',
    model: model ?? '',
    ...usage,
    cost,
    costSource: cost === undefined ? undefined : given === undefined ? 'prices' : 'span',
    timeToFirstTokenMs: seconds === undefined ? undefined : seconds * 1e3,
    finishReasons: texts(attributes['gen_ai.response.finish_reasons']),
    conversationId: text(attributes, 'gen_ai.conversation.id'),
    agent: text(attributes, 'gen_ai.agent.name'),
    tool: text(attributes, 'gen_ai.tool.name'),
  });
}

/** @throws TypeError, RangeError naming what is wrong in a price table */
export function checkPrices(prices: unknown): void {
  if (typeof prices !== 'object' || prices === null || Array.isArray(prices)) {
    throw new TypeError(`openStore: genAiPrices must be an object, got ${shown(prices)}`);
  }
  for (const [model, price] of Object.entries(prices)) {
    if (typeof price !== 'object' || price === null) {
      throw new TypeError(`openStore: genAiPrices[${shown(model)}] must be an object, got ${shown(price)}`);
    }
    for (const field of ['inputPerMillion', 'outputPerMillion', 'cachedInputPerMillion'] as const) {
      const value: unknown = price[field];
      if (field === 'cachedInputPerMillion' && value === undefined) continue;
      if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) continue;
      throw new RangeError(
        `openStore: genAiPrices[${shown(model)}].${field} must be a number from 0 on, got ${shown(value)}`,
      );
    }
  }
}

interface Usage {
  readonly inputTokens: number | undefined;
  readonly cachedInputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

function priceOf(model: string | undefined, prices: GenAiPrices): GenAiPrice | undefined {
  if (model === undefined) return undefined;
  if (Object.hasOwn(prices, model)) return prices[model];
  let best: string | undefined;
  for (const name of Object.keys(prices)) {
    if (!name.endsWith('*') || !model.startsWith(name.slice(0, -1))) continue;
    if (best === undefined || name.length > best.length) best = name;
  }
  return best === undefined ? undefined : prices[best];
}

function priced(usage: Usage, price: GenAiPrice | undefined): number | undefined {
  const { inputTokens, cachedInputTokens = 0, outputTokens } = usage;
  if (price === undefined || (inputTokens === undefined && outputTokens === undefined)) return undefined;
  const { inputPerMillion, outputPerMillion, cachedInputPerMillion = inputPerMillion } = price;
  const uncached = Math.max(0, (inputTokens ?? 0) - cachedInputTokens);
  return (
    (uncached * inputPerMillion +
      cachedInputTokens * cachedInputPerMillion +
      (outputTokens ?? 0) * outputPerMillion) /
    1e6
  );
}

/** The first of some attributes that is a text. */
function text(attributes: Attributes, ...keys: string[]): string | undefined {
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The first of some attributes that is a number, however it is written. */
function number(attributes: Attributes, ...keys: string[]): number | undefined {
  for (const key of keys) {
    const value = attributes[key];
    const plain = value instanceof Double ? value.value : value;
    if (typeof plain !== 'number' && typeof plain !== 'bigint' && typeof plain !== 'string') continue;
    const parsed = plain === '' ? Number.NaN : Number(plain);
    if (Number.isFinite(parsed) && parsed >= 0) return parsed;
  }
  return undefined;
}

function texts(value: AttributeValue | undefined): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** Without the fields that are not known. */
function present<Known extends object>(fields: { [Key in keyof Known]-?: Known[Key] | undefined }): Known {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Known;
}
