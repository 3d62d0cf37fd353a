package dev.plumb.backend;

/**
 * Why a backend will not train what it was asked to.
 *
 * @param reason what is not supported, naming the field and the limit
 * @param remedy what the user can do
 */
public record Refusal(String reason, String remedy) {}
