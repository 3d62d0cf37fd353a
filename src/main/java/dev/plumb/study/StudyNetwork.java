package dev.plumb.study;

import dev.plumb.model.NetworkSpec;

/**
 * A network of a study.
 *
 * @param name name in reports; names need not be unique
 */
public record StudyNetwork(String name, NetworkSpec network) {}
