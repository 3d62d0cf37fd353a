/**
 * Device memory of a training session that its kernels share: parameters and optimizer state, bound data, and the table of
 * per-step inputs. Start with {@link dev.plumb.backend.cuda.session.Steps}, which the packages {@code layered} and {@code fused}
 * implement. Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cuda.session;
