/**
 * Training steps of small networks in the shared memory of one block or cluster per network, with one launch for many steps.
 * Start with {@link dev.plumb.backend.cuda.fused.FusedRunner} and {@link dev.plumb.backend.cuda.fused.FusedPlan}. Internal: not
 * part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cuda.fused;
