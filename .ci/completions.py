"""Types lines into shells, presses Tab, and looks at what they make of them."""

import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time

programs, work = map(pathlib.Path, sys.argv[1:])
# What is typed, and what the line or the list below it must have then.
CASES = [
    ("stslint check --format sari", "--format sarif"),
    ("stslint check --min-severity warn", "--min-severity warning"),
    ("stslint check --select policy-max-age-sh", "policy-max-age-short"),
    ("stslint check --ignore dan", "dane"),
    ("stslint rules show policy-max-age-sh", "policy-max-age-short"),
    ("stslint explain sts-webpki-inv", "sts-webpki-invalid"),
    ("stslint profiles show uk-", "uk-gov"),
    ("stslint schema report-", "report-line"),
    ("stslint check --policy some-pol", "some-policy.txt"),
    ("stslint check --output some-pol", "some-policy.txt"),
    ("stslint check some-pol", "some-policy.txt"),
    ("stslint check --snapshot some-sn", "some-snapshot.yaml"),
    ("stslint repor", "stslint reports"),
]


class Shell:
    def __init__(self, words, environment):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(work / "here")
            os.execvpe(words[0], words, environment)
        self.quiet()

    def quiet(self, least=0.3, longest=20):
        """What is printed until nothing more comes for a moment."""
        text, end = b"", time.monotonic() + longest
        while time.monotonic() < end:
            if not select.select([self.terminal], [], [], least)[0]:
                if text:
                    break
                continue
            try:
                text += os.read(self.terminal, 65536)
            except OSError:
                break
            # fish asks what terminal this is, and waits for the answer.
            if b"\x1b[c" in text or b"\x1b[0c" in text:
                os.write(self.terminal, b"\x1b[?62;c")
        return re.sub(r"\x1b(\[[0-9;?>=]*[A-Za-z]|[()][A-Z0-9]|\][^\x07\x1b]*(\x07|\x1b\\)|[=>])", "", text.decode(errors="replace"))

    def complete(self, line):
        os.write(self.terminal, line.encode())
        typed = self.quiet()
        os.write(self.terminal, b"\t")
        shown = self.quiet(least=1)
        # Whatever is on the line goes.
        os.write(self.terminal, b"\x03")
        self.quiet()
        return typed + shown

    def end(self):
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)


def script(shell, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(subprocess.check_output([programs / "stslint", "completions", shell]))


(work / "here").mkdir()
for name in ("some-policy.txt", "some-snapshot.yaml"):
    (work / "here" / name).write_text("")
script("bash", work / "stslint.bash")
script("zsh", work / "zfunc" / "_stslint")
script("fish", work / "config" / "fish" / "completions" / "stslint.fish")
(work / "bashrc").write_text(f"PS1='$ '\n. /usr/share/bash-completion/bash_completion\n. {work}/stslint.bash\nbind 'set bell-style none'\n")
(work / ".zshrc").write_text(f"PS1='%% '\nfpath+={work}/zfunc\nautoload -U compinit && compinit -u -d {work}/zcompdump\n")

environment = {
    "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(work), "ZDOTDIR": str(work), "XDG_CONFIG_HOME": str(work / "config"),
    "TERM": "xterm", "LANG": "C.UTF-8", "COLUMNS": "200",
}
faults = 0
for name, words in [
    ("bash", ["bash", "--noprofile", "--rcfile", str(work / "bashrc"), "-i"]),
    ("zsh", ["zsh", "-i"]),
    ("fish", ["fish", "--private", "-i"]),
]:
    shell = Shell(words, environment)
    shell.quiet(least=2)
    for line, expected in CASES:
        shown = shell.complete(line)
        # A completed line may come in pieces, each after what was typed.
        if expected not in shown.replace("\r", "").replace("\x08", ""):
            faults += 1
            print(f"fault: {name}: `{line}` becomes {shown!r}, without `{expected}`")
    shell.end()
    print(f"{name}: {len(CASES)} lines")
sys.exit(faults > 0)
