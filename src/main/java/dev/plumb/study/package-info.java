/**
 * Studies that train many networks and compare them: lists of networks ({@link dev.plumb.study.StudyRunner}) and grids with many
 * seeds ({@link dev.plumb.study.StudyRunner}), their specifications, run files, estimates, findings and output. Internal: not part
 * of Plumb's API; it may change without notice.
 */
package dev.plumb.study;
