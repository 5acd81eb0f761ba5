// What this browser remembers between visits.
export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`lyricsyncd.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`lyricsyncd.${name}`, JSON.stringify(value));
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
}
