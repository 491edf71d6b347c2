/** Milliseconds since the Unix epoch, UTC. Read only by composition roots; everything else receives it. */
export type Clock = () => number;

/** Uniform random number in [0, 1). Injected so that jitter and sampling replay from a seed. */
export type Random = () => number;
