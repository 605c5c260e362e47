// Says in <p id="found"> what is wrong with the page that it is in: "light 1280: nothing".
window.alert = () => { window.ran = true; };
window.addEventListener('load', async () => {
    const found = [];
    const scripts = document.querySelectorAll('script').length, images = document.querySelectorAll('img, iframe, object, link').length;
    if (scripts !== 2 || images || window.ran || performance.getEntriesByType('resource').length)
        found.push('something of others');
    if (document.documentElement.scrollWidth > innerWidth)
        found.push('wider than the window: ' + document.documentElement.scrollWidth);
    const result = await axe.run(document, {resultTypes: ['violations']});
    for (const violation of result.violations)
        found.push(violation.id + ' ' + violation.nodes[0].target);
    const line = document.createElement('p');
    line.id = 'found';
    line.textContent = (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark ' : 'light ') + innerWidth + ': ' +
        (found.join('; ') || 'nothing');
    document.body.append(line);
});
