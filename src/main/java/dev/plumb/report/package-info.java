/**
 * Reports of training runs, studies and grids as self-contained HTML pages with SVG charts. Start reading at
 * {@link dev.plumb.report.HtmlReport}, and {@link dev.plumb.report.Page} for the common frame.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.report;
