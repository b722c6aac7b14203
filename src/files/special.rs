//! What a path may name that is neither a file nor a folder: what has no end is not read, and what may say nothing is read
//! within a time limit. Used by `files`.

use std::path::Path;

/// Whether a device is at a path that has no end, or of which nobody knows what reading it does: any but the one that is
/// empty, and a terminal.
#[cfg(unix)]
pub fn is_endless(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let Ok(metadata) = path.metadata() else { return false };
    let kind = metadata.file_type();
    kind.is_block_device() || (kind.is_char_device() && !is_null(&metadata) && !is_terminal(path))
}

/// Whether a device is at a path that has no end.
#[cfg(not(unix))]
pub fn is_endless(_: &Path) -> bool {
    false
}

/// Whether what is at a path may say nothing for ever: a pipe, or a terminal.
#[cfg(unix)]
pub fn may_wait(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo() || metadata.file_type().is_char_device())
}

/// Whether what is at a path may say nothing for ever.
#[cfg(not(unix))]
pub fn may_wait(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn is_null(device: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/dev/null").metadata().is_ok_and(|null| null.rdev() == device.rdev())
}

/// Whether a terminal is at a path. One that cannot be opened is none; the reason is told by whoever reads it.
#[cfg(unix)]
fn is_terminal(path: &Path) -> bool {
    use std::io::IsTerminal;
    super::pipes::open(path, std::fs::File::options().read(true)).map_or(true, |device| device.is_terminal())
}
