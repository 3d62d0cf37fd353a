/**
 * The command line: one class per {@code plumb} subcommand, their options, tables and messages. Start reading at
 * {@link dev.plumb.cli.Main}, then {@code Command} and {@code Flags}. Internal: not part of Plumb's
 * API; it may change without notice.
 */
package dev.plumb.cli;
