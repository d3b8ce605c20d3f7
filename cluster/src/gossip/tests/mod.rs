mod sessions;
mod verdicts;
mod whole;
