/**
 * Native libraries that are bundled in the jar: unpacks them to a private folder so that they can be loaded. Start with
 * {@link dev.plumb.backend.natives.NativeFolder}.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.natives;
