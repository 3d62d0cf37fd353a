/**
 * The library's entry point: training, loading and using models. Start with {@link dev.plumb.Plumb} and {@link dev.plumb.Model}.
 * API: Plumb, Model, Device and Version; {@link dev.plumb.Backends} is for programs that use a backend directly.
 */
package dev.plumb;
