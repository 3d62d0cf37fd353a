/**
 * Specifications of networks and trainings: layers, activations, losses, optimizers, learning-rate schedules, and the errors that
 * name an invalid value. Part of Plumb's API; start with {@link dev.plumb.model.NetworkSpec} and
 * {@link dev.plumb.model.TrainingSpec}.
 */
package dev.plumb.model;
