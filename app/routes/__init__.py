"""The routes: each module makes one router from what it needs."""
