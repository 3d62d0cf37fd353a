/**
 * Strict reading of JSON files that users wrote, with the place of every error, and writing of JSON; start with
 * {@link dev.plumb.json.JsonInput}. Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.json;
