import './base.css';
import './models.css';
import './rendering.css';
