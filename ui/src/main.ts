// Starts the pages. Everything heavier than the shell (map, plots, each party's rooms) is loaded when it is first shown.
import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { followLinks } from './router.svelte';

const target = document.getElementById('app');
if (target) {
  followLinks();
  mount(App, { target });
}
