//! What people who wait see on standard error while many files are read: one line, and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::OutputArgs;

/// The line. It goes away when the last file is read.
pub struct FileProgress(ProgressBar);

impl FileProgress {
    /// A line for so many files; nothing with `--quiet`, with `-v`, or for one file.
    pub fn start(files: usize, output: &OutputArgs) -> Self {
        let target = if output.quiet || output.verbose > 0 || files < 2 {
            ProgressDrawTarget::hidden()
        } else {
            // indicatif itself draws nothing where this is no terminal.
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(files).ok(), target);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} files {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        FileProgress(bar)
    }

    /// So many more are read.
    pub fn add(&self, files: usize) {
        self.0.inc(u64::try_from(files).unwrap_or_default());
    }
}

impl Drop for FileProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
