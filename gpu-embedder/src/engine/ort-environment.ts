/**
 * Variables that ONNX Runtime reads when it is loaded. To be called on the main thread, whose environment native code sees, before the first worker
 * loads the library. What is set already stays.
 *
 * `ORT_DISABLE_TELEMETRY`: official Linux builds (1.29 and later) report usage to their vendor. A server that sees users' texts reports to nobody.
 *
 * `ORT_ENABLE_CUDNN_FLASH_ATTENTION`: on an H100 cuDNN plans its attention anew for every shape of a batch, 40 ms each, where the batch itself takes 2 ms; batches of
 * a server hardly ever have the shape of an earlier one. ONNX Runtime's own memory-efficient kernel plans nothing.
 */
export function prepareOrtEnvironment(): void {
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  process.env["ORT_ENABLE_CUDNN_FLASH_ATTENTION"] ??= "0";
}
