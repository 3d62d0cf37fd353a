/**
 * The interface between training and the devices that compute it. Start with {@link dev.plumb.backend.Backend}, which opens a
 * {@link dev.plumb.backend.TrainingSession}; the implementations are in the packages below.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend;
