/**
 * Search for, loading of and report on the CUDA driver, cuBLAS and JCuda's natives. Start with {@link
 * dev.plumb.backend.cuda.natives.CudaNatives}. Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cuda.natives;
