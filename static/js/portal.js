// What htmx leaves to the page: where the focus goes, and what to say when a request gets no usable answer.
(() => {
  'use strict';

  const focusErrors = () => {
    const summary = document.getElementById('error-summary');
    if (summary) summary.focus();
    return Boolean(summary);
  };

  // Their own time zone is one press away; nothing is chosen for them.
  const offerZone = () => {
    const [choice, button] = ['time_zone', 'own-time-zone'].map((id) => document.getElementById(id));
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!button || choice.value === zone || !choice.querySelector(`option[value="${zone}"]`)) return;
    button.textContent = button.dataset.words.replace('{zone}', zone);
    button.onclick = () => { choice.value = zone; choice.focus(); button.hidden = true; };
    button.hidden = false;
  };

  // A boosted link or form is a navigation: whatever came back, an error page too, becomes the page.
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (event.detail.boosted) event.detail.shouldSwap = true;
  });

  document.addEventListener('htmx:afterSettle', (event) => {
    offerZone();
    const { boosted, xhr } = event.detail;
    if (!boosted && !(xhr && xhr.status >= 400)) return;
    if (!focusErrors() && boosted) document.getElementById('main').focus();
  });

  // A poll that fails tries again by itself; a pressed button must not stay silent. An error page that came back to a
  // boosted request has become the page; where nothing came back there is none.
  const failed = (event) => {
    const { elt, boosted } = event.detail;
    const place = document.getElementById('flash');
    const isShown = boosted && event.type === 'htmx:responseError';
    if (!place || isShown || elt.hasAttribute('data-poll')) return;
    const words = document.createElement('p');
    words.className = 'banner tone--rejected';
    words.textContent = event.type === 'htmx:sendError' ? place.dataset.noAnswer : place.dataset.failed;
    place.replaceChildren(words);
    place.scrollIntoView({ block: 'nearest' });
  };
  document.addEventListener('htmx:sendError', failed);
  document.addEventListener('htmx:responseError', failed);

  // Escape closes the account menu and gives the focus back to what opened it.
  document.addEventListener('keydown', (event) => {
    const menu = document.querySelector('.account[open]');
    if (event.key !== 'Escape' || !menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
  // A page that a browser kept whole for its Back button shows no secret again.
  addEventListener('pageshow', (event) => { if (event.persisted) document.querySelector('[data-once]')?.remove(); });
  offerZone(); focusErrors();
})();
