/**
 * Studies that train many networks and compare them. A {@link dev.plumb.study.Study} has trials; {@link
 * dev.plumb.study.StudyRunner} trains them in groups through a {@link dev.plumb.study.TrialExecutor} and a {@link
 * dev.plumb.study.TrialLog} keeps their rows. Lists of networks, grids, the study of depth and studies on tables are made by the
 * readers of specifications here; {@link dev.plumb.study.CrossValidation} trains folds through the same executor. Internal: not
 * part of Plumb's API; it may change without notice.
 */
package dev.plumb.study;
