/** What CUDA itself said, as in "CUDA failure 100: no CUDA-capable device is detected". */
const CUDA_FAILURE = /\bCUDA failure \d+: [^;\n]+/u;

/** The part of ONNX Runtime's error that a person can act on: its own text names functions and lines of its source first. */
export function cudaReason(message: string): string {
  return (CUDA_FAILURE.exec(message)?.[0] ?? message).trim();
}
