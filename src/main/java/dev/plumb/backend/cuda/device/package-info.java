/**
 * An open CUDA device: its context, kernels, memory, copies, launches and recorded graphs. Start with {@link
 * dev.plumb.backend.cuda.device.CudaContext}. Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cuda.device;
