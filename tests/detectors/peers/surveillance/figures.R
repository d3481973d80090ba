# Figures of R's surveillance for the series of series.csv: Rscript figures.R series.csv > figures.csv
# One line a series, week and method: what is expected, the dispersion, whether a trend was kept, the p-value or upper bound.
suppressMessages(library(surveillance))
observed <- as.matrix(read.csv(commandArgs(TRUE)[1]))
weeks <- 271:nrow(observed)
all <- sts(observed, start = c(2010, 1), frequency = 52)
farrington <- function(p_trend) farringtonFlexible(all, control = list(
  range = weeks, b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, weightsThreshold = 2.58, reweight = TRUE,
  trend = TRUE, pThresholdTrend = p_trend, thresholdMethod = "nbPlugin", limit54 = c(0, 4), alpha = 0.01, glmWarnings = FALSE))
rows <- list()
for (p_trend in c(1, 0.05)) {
  found <- farrington(p_trend)@control
  for (j in seq_len(ncol(observed))) rows[[length(rows) + 1]] <- data.frame(
    method = paste0("farrington_", p_trend), series = j - 1, week = weeks - 1, expected = found$expected[, j],
    phi = found$phiVector[, j], trend = found$trend[, j], p_value = found$pvalue[, j], upper = NA)
}
for (method in c("C1", "C2")) {
  upper <- upperbound(earsC(all, control = list(range = weeks, method = method, minSigma = 0.5, alpha = 0.001)))
  for (j in seq_len(ncol(observed))) rows[[length(rows) + 1]] <- data.frame(
    method = method, series = j - 1, week = weeks - 1, expected = NA, phi = NA, trend = NA, p_value = NA, upper = upper[, j])
}
write.csv(format(do.call(rbind, rows), digits = 9), row.names = FALSE, quote = FALSE)
