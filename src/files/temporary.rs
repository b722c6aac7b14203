//! Temporary files of this process, which must not stay where a signal ends it: dropping removes them, and a signal drops
//! nothing. Whoever makes one notes it here, and whoever waits for signals has them removed.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile};

static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Makes a temporary file in a folder, or where the system has its temporary files.
pub fn make(builder: &Builder<'_, '_>, folder: Option<&std::path::Path>) -> io::Result<NamedTempFile> {
    let file = folder.map_or_else(|| builder.tempfile(), |folder| builder.tempfile_in(folder))?;
    let path = std::path::absolute(file.path()).unwrap_or_else(|_| file.path().to_owned());
    MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    Ok(file)
}

/// Removes what is left of them, when the process ends at once.
pub fn remove_all() {
    let made = std::mem::take(&mut *MADE.lock().unwrap_or_else(PoisonError::into_inner));
    for path in made {
        // One that took its place, or was dropped, is not there any more.
        let _ = std::fs::remove_file(path);
    }
}
