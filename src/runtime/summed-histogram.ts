import { Histogram, type MetricType, type Registry } from 'prom-client';

/** A histogram that is given sums of what was observed elsewhere. */
export class SummedHistogram extends Histogram {
  readonly #facts: { readonly name: string; readonly help: string };
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `buckets`: upper bounds; observations beyond the last are counted too. */
  constructor(facts: { name: string; help: string; buckets: readonly number[]; registers: Registry[] }) {
    super({ ...facts, buckets: [...facts.buckets] });
    this.#facts = facts;
    this.#bounds = facts.buckets;
    this.#counts = new Float64Array(facts.buckets.length + 1);
  }

  /** `counts` by bucket, each for itself, and one more for what is beyond the last. */
  add(counts: Float64Array, sum: number): void {
    for (let at = 0; at < this.#counts.length; at += 1)
      this.#counts[at] = (this.#counts[at] ?? 0) + (counts[at] ?? 0);
    this.#sum += sum;
  }

  /** What the registry's text is made from. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }

  override async get(): ReturnType<Histogram['get']> {
    let total = 0;
    const buckets = [...this.#counts].map((count, at) => {
      total += count;
      return {
        labels: { le: this.#bounds[at] ?? '+Inf' },
        value: total,
        metricName: `${this.#facts.name}_bucket`,
      };
    });
    const { name, help } = this.#facts;
    return {
      name,
      help,
      // The enumeration is in the declarations alone: what there is at run time is this text.
      type: 'histogram' as unknown as MetricType,
      aggregator: 'sum',
      collect: () => {},
      values: [
        ...buckets,
        { labels: {}, value: this.#sum, metricName: `${name}_sum` },
        { labels: {}, value: total, metricName: `${name}_count` },
      ],
    };
  }
}
