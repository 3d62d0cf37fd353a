/**
 * The backend for NVIDIA GPUs. Start with {@link dev.plumb.backend.cuda.CudaBackend} and {@code CudaSession}. Its packages, from
 * the bottom up: {@code natives} loads CUDA, {@code device} is an open GPU, {@code session} the state that kernels share, and
 * {@code layered} and {@code fused} implement training steps. Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cuda;
