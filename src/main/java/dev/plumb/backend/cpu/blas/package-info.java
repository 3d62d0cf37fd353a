/**
 * OpenBLAS for the matrix products of wide networks. Start with {@link dev.plumb.backend.cpu.blas.OpenBlas}.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cpu.blas;
