package dev.plumb.study;

import dev.plumb.model.NetworkSpec;

/**
 * One row of a study.
 *
 * @param name for people; names need not differ
 */
public record StudyNetwork(String name, NetworkSpec network) {}
