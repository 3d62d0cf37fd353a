package dev.plumb.bench;

/**
 * What the machine can do at most in one respect.
 *
 * @param name what is done: multiply-add in Java, fp32
 * @param threads that did it together
 * @param way how they shared it, where it is not the way of a training step; else empty
 */
public record Ceiling(String name, String unit, int threads, String way, Figure rate) {}
